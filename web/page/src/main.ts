import "./app/gs-app.ts";
import { parse } from "./app/router.ts";
import { applyTheme } from "./app/theme.ts";
import { VIEWS } from "./app/views.ts";
import { chooseLocale } from "./i18n/locale.ts";

applyTheme();
// gs-app says so where the view cannot be had
const view = VIEWS[parse(location.hash).view]().catch(() => undefined);
await Promise.all([chooseLocale(), view]);
document.body.append(document.createElement("gs-app"));

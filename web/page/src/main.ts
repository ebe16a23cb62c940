import "./app/gs-app.ts";
import { applyTheme } from "./app/theme.ts";
import { chooseLocale } from "./i18n/locale.ts";

applyTheme();
await chooseLocale();
document.body.append(document.createElement("gs-app"));

import { chooseLocale } from "./i18n/locale.ts";
import { applyTheme } from "./app/theme.ts";

applyTheme();
await chooseLocale();
await import("./app/gs-app.ts");

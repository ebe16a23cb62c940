import { locale, t, worded } from "./locale.ts";

/** What a dimension of the audience is called: `device_type` → Device. */
export const dimensionName = (dimension: string): string => worded("values.", dimension);

/** What a dimension's value is called: smart_tv → Smart TV, DE → Germany; what players made up stands as it is. */
export function valueName(dimension: string, value: string | null): string {
  if (value === null) return t("values.others");
  return dimension === "country" ? countryName(value) : worded(`values.${dimension}_`, value);
}

function countryName(code: string): string {
  if (!/^[A-Za-z]{2}$/.test(code)) return code;
  return new Intl.DisplayNames(locale(), { type: "region" }).of(code.toUpperCase()) ?? code;
}

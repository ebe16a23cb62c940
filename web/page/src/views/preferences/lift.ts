import { multiple, percent } from "../../i18n/format.ts";
import { t } from "../../i18n/locale.ts";

/** Nearer to 1 than this, a lift says nothing. */
const SAME = 0.05;

/** A lift in words: how much likelier this audience watches something than all viewers do. */
export function liftInWords(lift: number): string {
  if (Math.abs(lift - 1) < SAME) return t("preferences.lift_same");
  if (lift > 1) return t("preferences.lift_more", { times: multiple(lift) });
  return t("preferences.lift_less", { share: percent(Math.round((1 - lift) * 100) / 100) });
}

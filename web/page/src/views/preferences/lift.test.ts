import { beforeAll, expect, it } from "vitest";

import { setLocale } from "../../i18n/locale.ts";
import { liftInWords } from "./lift.ts";

beforeAll(() => setLocale("en", false));

it.each([
  [2.34, "2.3 times as likely as everyone"],
  [1.04, "as likely as everyone"],
  [1, "as likely as everyone"],
  [0.4, "60% less likely than everyone"],
  [0, "100% less likely than everyone"],
])("a lift of %d is said in words", (lift, words) => {
  expect(liftInWords(lift)).toBe(words);
});

import { beforeAll, describe, expect, it } from "vitest";

import { setLocale } from "./locale.ts";
import { dimensionName, valueName } from "./values.ts";

describe("the names of an audience's dimensions and values", () => {
  beforeAll(() => setLocale("de", false));

  it("are said in the page's language", () => {
    expect(dimensionName("network_quality")).toBe("Netz");
    expect(valueName("device_type", "smart_tv")).toBe("Smart-TV");
    expect(valueName("country", "DE")).toBe("Deutschland");
    expect(valueName("country", null)).toBe("Alle anderen");
  });

  it("stand as they were reported where nobody knows them", () => {
    expect(valueName("device_type", "fridge")).toBe("fridge");
    expect(valueName("country", "<b>Elbonia</b>")).toBe("<b>Elbonia</b>");
    expect(valueName("constructor", "prototype")).toBe("prototype");
    expect(dimensionName("shoe_size")).toBe("shoe_size");
  });
});

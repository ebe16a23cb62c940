import type chart from "../../../messages/en/chart.json";
import type content from "../../../messages/en/content.json";
import type definition from "../../../messages/en/definition.json";
import type health from "../../../messages/en/health.json";
import type overview from "../../../messages/en/overview.json";
import type preferences from "../../../messages/en/preferences.json";
import type shell from "../../../messages/en/shell.json";
import type states from "../../../messages/en/states.json";
import type table from "../../../messages/en/table.json";
import type values from "../../../messages/en/values.json";

type In<Area extends string, Messages> = `${Area}.${keyof Messages & string}`;

/** Every message there is, as English has it: a key that is not there does not compile. */
export type MessageKey =
  | In<"chart", typeof chart>
  | In<"content", typeof content>
  | In<"definition", typeof definition>
  | In<"health", typeof health>
  | In<"overview", typeof overview>
  | In<"preferences", typeof preferences>
  | In<"shell", typeof shell>
  | In<"states", typeof states>
  | In<"table", typeof table>
  | In<"values", typeof values>;

declare module "virtual:messages/*" {
  const messages: Record<string, string>;
  export default messages;
}

declare module "virtual:definitions" {
  /** plugins/definitions.ts makes them. */
  const definitions: Record<string, import("../../plugins/definitions.ts").Definition>;
  export default definitions;
}

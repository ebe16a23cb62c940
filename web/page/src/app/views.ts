import type { Route } from "./router.ts";

/** Fetches a view's code, when it is first shown. */
export const VIEWS: Record<Route["view"], () => Promise<unknown>> = {
  overview: () => import("../views/overview/gs-overview.ts"),
  content: () => import("../views/content/gs-content.ts"),
  preferences: () => import("../views/preferences/gs-preferences.ts"),
  health: () => import("../views/health/gs-health.ts"),
  "sign-in": () => import("./gs-sign-in.ts"),
  unknown: () => Promise.resolve(),
};

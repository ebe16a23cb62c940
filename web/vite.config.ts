import { defineConfig } from "vitest/config";

import { definitions } from "./plugins/definitions.ts";
import { messages } from "./plugins/messages.ts";

/** The live page: web/page → web/dist. Tests of everything in web/ run from here too. */
export default defineConfig({
  root: "page",
  base: "./",
  plugins: [messages(), definitions()],
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  server: { proxy: { "/v1": "http://127.0.0.1:8080" } },
  test: {
    root: ".",
    environment: "happy-dom",
    include: ["{page,beacon,widgets,plugins}/**/*.test.ts"],
    restoreMocks: true,
  },
});

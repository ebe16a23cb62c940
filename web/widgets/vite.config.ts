import { gzipSync } from "node:zlib";

import { defineConfig, type Plugin } from "vite";

const MOST_BYTES = 4096;

/** The widgets: web/widgets → web/dist/widgets.js, one ES module. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [small()],
  build: {
    outDir: "../dist",
    emptyOutDir: false,
    target: "es2022",
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: `${import.meta.dirname}/src/widgets.ts`,
      preserveEntrySignatures: "exports-only",
      output: { entryFileNames: "widgets.js" },
    },
  },
});

/** Fails the build when what every page has to load is too much. */
function small(): Plugin {
  return {
    name: "grandstand-small",
    generateBundle(_, bundle) {
      for (const [name, chunk] of Object.entries(bundle)) {
        const bytes = gzipSync(chunk.type === "chunk" ? chunk.code : chunk.source).length;
        if (bytes > MOST_BYTES)
          this.error(`${name} is ${bytes} B gzipped, which is more than ${MOST_BYTES}.`);
      }
    },
  };
}

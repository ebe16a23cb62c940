import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

import { defineConfig, type Plugin } from "vite";

const MAX_BYTES = 6 * 1024;

/** Fails the build when a file is larger than platforms were promised, gzipped. */
function withinBudget(): Plugin {
  return {
    name: "grandstand-beacon-budget",
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type !== "chunk") continue;
        const bytes = gzipSync(file.code, { level: 9 }).length;
        this.info(`${file.fileName}: ${bytes} of ${MAX_BYTES} bytes gzipped`);
        if (bytes > MAX_BYTES)
          this.error(`${file.fileName} is ${bytes} bytes gzipped; ${MAX_BYTES} are allowed`);
      }
    },
  };
}

/** Lays the types beside the script; TypeScript looks for those of an `.mjs` under `.d.mts`. */
function withTypes(): Plugin {
  return {
    name: "grandstand-beacon-types",
    generateBundle() {
      const source = readFileSync(`${import.meta.dirname}/beacon.d.ts`, "utf8");
      for (const fileName of ["beacon.d.ts", "beacon.d.mts"])
        this.emitFile({ type: "asset", fileName, source });
    },
  };
}

/** The beacon: web/beacon → web/dist/beacon.js for `<script>` and web/dist/beacon.mjs for `import`. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [withinBudget(), withTypes()],
  build: {
    outDir: "../dist",
    emptyOutDir: false,
    copyPublicDir: false,
    target: "es2020",
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: "src/index.ts",
      preserveEntrySignatures: "strict",
      output: [
        { format: "iife", name: "Grandstand", entryFileNames: "beacon.js" },
        { format: "es", entryFileNames: "beacon.mjs" },
      ],
    },
  },
});

/// <reference types="vitest/config" />
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

// The server that `npm run dev` talks to.
const server = process.env["KEEPWARD_URL"] ?? "http://127.0.0.1:8480";

// What a browser loads before the overview is there: compressed bytes, and the module that is the page.
const FIRST = { limit: 300_000, page: "src/pages/overview/Overview.tsx" };

/** Lays a `.gz` beside each text, so that the server compresses nothing, and ends a build whose first route is too large. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    // Of the files as they are written: Vite changes scripts until then.
    writeBundle({ dir = "dist" }, bundle) {
      const sizes = new Map<string, number>();
      for (const name of Object.keys(bundle).filter((one) => /\.(js|css|svg)$/.test(one))) {
        const zipped = gzipSync(readFileSync(join(dir, name)), { level: 9 });
        writeFileSync(join(dir, `${name}.gz`), zipped);
        sizes.set(name, zipped.length);
      }
      const first = new Set<string>();
      const walk = (name: string) => {
        const part = bundle[name];
        if (part?.type !== "chunk" || first.has(name)) return;
        first.add(name);
        part.imports.forEach(walk);
      };
      for (const [name, part] of Object.entries(bundle)) {
        if (part.type === "chunk" && (part.isEntry || part.facadeModuleId?.endsWith(FIRST.page))) walk(name);
      }
      const size = [...first].reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);
      const words = `the first route is ${size} bytes compressed, in ${first.size} files; the limit is ${FIRST.limit}`;
      if (size > FIRST.limit) this.error(words);
      this.info(words);
    },
  };
}

export default defineConfig({
  plugins: [react({ jsxImportSource: "#jsx" }), compressed()],
  build: {
    target: "es2023",
    // Every script is a file of ours: the policy of the page allows no other.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      output: {
        // What nearly every page needs is in two files instead of in fifty.
        codeSplitting: {
          groups: [
            {
              name: "fluent",
              test: /node_modules\/(@fluentui\/(?!react-charts|chart)|@griffel|tabster|keyborg|@floating-ui)/,
              minShareCount: 30,
            },
            { name: "frame", test: /node_modules\/(react|react-dom|scheduler|@tanstack\/(?!react-virtual|virtual-core)|i18next|react-i18next|openapi-)/ },
          ],
        },
      },
    },
  },
  server: {
    proxy: Object.fromEntries(
      ["/api", "/healthz"].map((path) => [path, { target: server, headers: { origin: server } }]),
    ),
  },
  test: { include: ["src/**/*.test.{ts,tsx}"] },
});

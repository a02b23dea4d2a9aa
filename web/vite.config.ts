/// <reference types="vitest/config" />
import { gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

// The server that `npm run dev` talks to.
const server = process.env["KEEPWARD_URL"] ?? "http://127.0.0.1:8080";

/** Lays a `.gz` beside each text, so that the server compresses nothing. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    generateBundle(_, bundle) {
      for (const [name, part] of Object.entries(bundle)) {
        const text = part.type === "chunk" ? part.code : part.source;
        if (/\.(js|css|svg)$/.test(name)) {
          this.emitFile({ type: "asset", fileName: `${name}.gz`, source: gzipSync(text, { level: 9 }) });
        }
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), compressed()],
  // Every script and style is a file of ours: the policy of the page allows no other.
  build: { target: "es2023", assetsInlineLimit: 0, chunkSizeWarningLimit: 700 },
  server: {
    proxy: Object.fromEntries(
      ["/api", "/healthz"].map((path) => [path, { target: server, headers: { origin: server } }]),
    ),
  },
  test: { include: ["src/**/*.test.{ts,tsx}"] },
});

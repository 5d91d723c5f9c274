// How the page is built: hashed files under assets/, straight into the Python package, charts apart from the shell.
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const desk = process.env["TRADELOOP_DESK"] ?? "http://127.0.0.1:8003";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "../src/tradeloop/web",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 800,
    modulePreload: { polyfill: false },
  },
  // A desk that runs beside `npm run dev`: the origin is rewritten, for it takes unsafe requests from its own page alone.
  server: {
    proxy: {
      "^/(api|health|metrics)": { target: desk, changeOrigin: true, headers: { origin: desk, "sec-fetch-site": "same-origin" } },
      "/ws": { target: desk, changeOrigin: true, ws: true, headers: { origin: desk } },
    },
  },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});

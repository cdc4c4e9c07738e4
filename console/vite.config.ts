import { defineConfig } from "vite";

// Served by the API below /console/ (src/http/console.ts). Its policy lets nothing in but files of this folder, so nothing
// is written into the page: no assets as data, no polyfill.
export default defineConfig({
  root: import.meta.dirname,
  base: "/console/",
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  // `npx vite console` beside a running server, while working on the pages.
  server: { proxy: { "/v1": "http://127.0.0.1:3000", "/console/session": "http://127.0.0.1:3000" } },
});

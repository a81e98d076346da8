import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitepress";
import { includeSource } from "../../scripts/docs/include-source.mjs";

const GENERATED = fileURLToPath(new URL("../reference/sidebar.json", import.meta.url));
const generated = existsSync(GENERATED) ? JSON.parse(readFileSync(GENERATED, "utf8")) : [];
// Groups that fold are buttons with buttons in them, which screen readers do not offer.
const reference = generated.map(({ text, items }) => ({ text, items }));

const GUIDES = [
  { text: "Residual learning, annotated", link: "/guides/residual-learning" },
  { text: "A kernel from plain to fast", link: "/guides/kernel" },
  { text: "Train, fine-tune, export", link: "/guides/train" },
  { text: "Put it in a page", link: "/guides/page" },
  { text: "Serve it from Node", link: "/guides/node" },
  { text: "Add an op", link: "/guides/add-an-op" },
];

export default defineConfig({
  title: "shadegrad",
  description: "A tensor engine on WebGPU: guides and the reference.",
  lang: "en",
  base: "/docs/",
  head: [["link", { rel: "icon", href: "/docs/icon.svg", type: "image/svg+xml" }]],
  outDir: "dist",
  cacheDir: "../.cache/vitepress",
  lastUpdated: false,
  markdown: {
    config: includeSource,
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
  },
  vite: {
    // Only Node asks for these.
    build: { chunkSizeWarningLimit: 2000, rollupOptions: { external: ["sharp", "webgpu", /^node:/] } },
  },
  themeConfig: {
    search: { provider: "local" },
    nav: [
      { text: "Guides", link: "/guides/residual-learning", activeMatch: "/guides/" },
      { text: "Reference", link: "/reference/", activeMatch: "/reference/" },
    ],
    sidebar: {
      "/guides/": [{ text: "Guides", items: GUIDES }],
      "/reference/": [{ text: "Reference", link: "/reference/", items: reference }],
    },
    outline: { level: [2, 3] },
    socialLinks: [],
  },
});

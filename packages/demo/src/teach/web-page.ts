const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

const escaped = (text: string): string => text.replace(/[&<>]/g, (character) => ESCAPES[character]!);

/** A page of twenty lines that classifies pictures, with a file of weights and `shadegrad.js` of `@shadegrad/resnet` beside it. */
export const webPage = (classes: readonly string[], weights: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escaped(classes.join(" or "))}?</title>
<script type="importmap">
  { "imports": { "@shadegrad/resnet": "./shadegrad.js" } }
</script>
<h1>${escaped(classes.join(" or "))}?</h1>
<label>A picture: <input type="file" accept="image/*"></label>
<p role="status">The net is loading. Beside this page lie ${weights} and shadegrad.js (of @shadegrad/resnet); any web server serves them.</p>
<script type="module">
  import { load } from "@shadegrad/resnet";
  const says = document.querySelector("[role=status]");
  const net = await load(new URL("${weights}", location.href));
  says.textContent = "Choose a picture.";
  document.querySelector("input").addEventListener("change", async ({ target }) => {
    const [best] = await net.classify(target.files[0]);
    says.textContent = \`\${best.label}, \${Math.round(100 * best.probability)} %\`;
  });
</script>
`;

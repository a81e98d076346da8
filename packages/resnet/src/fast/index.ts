export { ConvGroup, FastNet, type FastNetOptions } from "./fastnet.ts";
export { type FastRecipe, fastRecipe } from "./recipe.ts";
export { eigen, whiten } from "./whiten.ts";

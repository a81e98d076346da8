export { ConvGroup, FASTNET_KEY, FastNet, type FastNetOptions, fastNetOf } from "./fastnet.ts";
export { type FastRecipe, fastRecipe } from "./recipe.ts";
export { eigen, whiten } from "./whiten.ts";

import { provideDeno } from "../setup/deno.mjs";

export default provideDeno;

import { provideSwiftshader } from "../setup/embedded.mjs";

export default provideSwiftshader;

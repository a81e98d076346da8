import "@fontsource-variable/instrument-sans";
import "@fontsource-variable/jetbrains-mono";
import Theme from "vitepress/theme-without-fonts";
import DegradationCurves from "./DegradationCurves.vue";
import DegradationLive from "./DegradationLive.vue";
import KernelTimes from "./KernelTimes.vue";
import "./style.css";

export default {
  extends: Theme,
  enhanceApp({ app }) {
    app.component("DegradationCurves", DegradationCurves);
    app.component("DegradationLive", DegradationLive);
    app.component("KernelTimes", KernelTimes);
  },
};

// Prints, as JSON, the adapter that Dawn gives this process, or null. A process of its own, because the Vulkan loader
// reads its environment once, and because a broken driver may take its process down.
import { create } from "webgpu";

const gpu = create([]);
const adapter = await gpu.requestAdapter();
if (adapter) {
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
  const features = [...adapter.features];
  console.log(JSON.stringify({ vendor, architecture, device, description, isFallbackAdapter, features }));
} else {
  console.log("null");
}
process.exit(0);

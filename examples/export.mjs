// A net as ONNX, for other engines.
//
//   npm start -- export [weights.safetensors] [net.onnx]
import { writeFile } from "node:fs/promises";
import { exportOnnx, load } from "@shadegrad/resnet";

const [weights = "resnet8", out = "net.onnx"] = process.argv.slice(2);

const { net } = await load(weights);
const bytes = await exportOnnx(net);
await writeFile(out, bytes);
console.log(`${out}: ${(bytes.length / 1e6).toFixed(1)} MB`);
process.exit();

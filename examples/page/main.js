import { load } from "@shadegrad/resnet";

const answer = document.querySelector("#answer");
const net = await load("./resnet8-cifar10.safetensors");
answer.textContent = "Choose a picture.";

document.querySelector("input").addEventListener("change", async ({ target }) => {
  const [best] = await net.classify(target.files[0]);
  answer.textContent = `${best.label}, ${Math.round(100 * best.probability)} %`;
});

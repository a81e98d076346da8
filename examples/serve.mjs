// A service that names what is in a picture: the picture is the body of a POST, the answer is JSON.
//
//   npm start -- serve [resnet8] [port]        curl --data-binary @photo.jpg localhost:3000
import { createServer } from "node:http";
import { load } from "@shadegrad/resnet";

const [name = "resnet8", port = "3000"] = process.argv.slice(2);
const MOST = 20e6; // bytes of a picture

const net = await load(name);
const server = createServer(async (request, response) => {
  const answer = (status, value) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(value));
  };
  if (request.method !== "POST") return answer(405, { error: "POST a picture" });
  try {
    answer(200, await net.classify(await bodyOf(request), { top: 3 }));
  } catch (error) {
    answer(error.name === "FormatError" ? 400 : 500, { error: error.message });
  }
});
server.listen(Number(port), () => console.log(`listening on ${server.address().port}`));

async function bodyOf(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MOST) throw new Error(`a picture may have ${MOST / 1e6} MB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

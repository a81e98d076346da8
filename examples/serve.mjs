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
    const picture = await bodyOf(request);
    if (picture) answer(200, await net.classify(picture, { top: 3 }));
    else answer(413, { error: `a picture may have ${MOST / 1e6} MB` });
  } catch (error) {
    answer(error.name === "FormatError" ? 400 : 500, { error: error.message });
  }
});
server.listen(Number(port), () => console.log(`listening on ${server.address().port}`));

/** The body, or undefined if it is too large: the rest is read and thrown away, so that the client hears the answer. */
async function bodyOf(request) {
  let chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= MOST) chunks.push(chunk);
    else chunks = [];
  }
  return size <= MOST ? Buffer.concat(chunks) : undefined;
}

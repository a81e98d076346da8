import { html, nothing, type TemplateResult } from "lit-html";
import { ref } from "lit-html/directives/ref.js";
import { icons } from "../app/icons.ts";
import type { State } from "../app/state.ts";
import type { Classify } from "./actions.ts";
import { isLive } from "./live-choice.ts";

/** The picture: dropped, chosen, or from the camera. */
export function stage(state: State, classify: Classify): TemplateResult {
  const { picture, camera, isDropping } = state.classify;
  return html`
    <div class="stage card ${isDropping ? "dropping" : ""}" data-filled=${camera.is === "on" || picture !== undefined}>
      <div class="picture">
        ${
          camera.is === "on"
            ? cameraPicture(camera.stream)
            : picture
              ? html`<img src=${picture.url} alt=${picture.alt} />`
              : empty
        }
      </div>
      <div class="actions">
        ${
          camera.is === "on"
            ? html`
              <button type="button" class="primary" @click=${(event: Event) => shoot(event, classify)}>
                ${icons.camera} Take the picture
              </button>
              <button type="button" aria-pressed=${isLive(state)} @click=${async () => (await filming()).toggleLive(classify)}>Live</button>
              <button type="button" @click=${async () => (await filming()).stopCamera()}>Turn the camera off</button>
            `
            : html`
              <label class="button ${picture ? "" : "primary"}">
                ${icons.upload} Choose a picture
                <input
                  type="file"
                  class="hidden"
                  accept="image/*,.safetensors,.pth,.pt"
                  @change=${(event: Event) => choose(event, classify)}
                />
              </label>
              <button type="button" ?disabled=${camera.is === "asking"} @click=${async () => (await filming()).startCamera(classify)}>
                ${icons.camera} ${camera.is === "asking" ? "Waiting for the camera …" : "Camera"}
              </button>
              ${picture ? html`<span class="name">${picture.name}</span>` : nothing}
            `
        }
      </div>
    </div>
  `;
}

/** Loaded with the first click: most visitors have pictures. */
const filming = () => import("./camera.ts");

const empty = html`
  <div class="empty">
    <svg class="frame" viewBox="0 0 120 90" aria-hidden="true">
      <path d="M2 20V8a6 6 0 0 1 6-6h16M96 2h16a6 6 0 0 1 6 6v12M118 70v12a6 6 0 0 1-6 6H96M24 88H8a6 6 0 0 1-6-6V70" />
      <circle cx="42" cy="34" r="7" />
      <path d="m14 74 26-24 16 14 20-20 30 30" />
    </svg>
    <p><strong>Drop a picture here</strong><span>or paste one, or choose a file</span></p>
  </div>
`;

const cameraPicture = (stream: MediaStream): TemplateResult => html`
  <video
    autoplay
    muted
    playsinline
    aria-label="What the camera sees"
    ${ref((element) => {
      const video = element as HTMLVideoElement | undefined;
      if (video && video.srcObject !== stream) video.srcObject = stream;
    })}
  ></video>
`;

function choose(event: Event, classify: Classify): void {
  const input = event.target as HTMLInputElement;
  void classify.take([...(input.files ?? [])]);
  input.value = ""; // the same file may be chosen again
}

function shoot(event: Event, classify: Classify): void {
  const video = (event.target as Element).closest(".stage")?.querySelector("video");
  if (video) void filming().then(({ takePicture }) => takePicture(video, classify));
}

import { execFileSync } from "node:child_process";

/** A Python that has torch and torchvision; undefined if there is none. */
export const python = [process.env.PYTHON, "python3", "/usr/bin/python3"].find((name) => {
  try {
    if (name) execFileSync(name, ["-c", "import torch, torchvision"], { stdio: "ignore" });
    return Boolean(name);
  } catch {
    return false;
  }
});

/** The reason for a skip, as a suffix of a test's name. */
export const needsTorch = python ? "" : " (needs Python with torch and torchvision)";

/** What an argument of the wrong kind is, for a message. */
export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  return value === null || value === undefined ? String(value) : `a ${typeof value}`.replace("a o", "an o");
}

/** Shapes that do not fit each other, or what was asked of them. */
export class ShapeError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ShapeError";
  }
}

/** The device is missing, lost, or cannot do what was asked. */
export class DeviceError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DeviceError";
  }
}

/** A file that is not what it says it is, or that a format cannot express. */
export class FormatError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "FormatError";
  }
}

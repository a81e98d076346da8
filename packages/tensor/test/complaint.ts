/** Name and message of the error that a wrong call throws: its words are part of the interface. @throws Error if there is none. */
export function complaint(mistake: () => unknown): string {
  try {
    mistake();
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  throw new Error("this was let through");
}

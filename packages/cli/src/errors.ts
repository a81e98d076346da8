const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "this is a folder",
  EACCES: "this may not be read",
};

/** The error's message; a system error becomes words with the file, `file` if it names none. */
export function messageOf(error: unknown, file = "a file"): string {
  const { code = "", path, message = String(error) } = Object(error) as NodeJS.ErrnoException;
  const said = FILE_ERRORS[code];
  return said ? `${path ?? /'(.*)'/.exec(message)?.[1] ?? file}: ${said}.` : message;
}

/** Throws an error of npm as one line with its reason; other errors unchanged. */
export const cannotFetch =
  (what: string, instead: string) =>
  (error: Error): never => {
    if (!error.message.startsWith("fetch:")) throw error;
    const [first = "", ...said] = error.message.split("\n");
    const reason = said.map((line) => /reason: (.*)$|npm error code (.*)$/.exec(line)).find(Boolean);
    throw new Error(
      `${what} cannot be fetched: ${reason ? `npm says ${reason[1] ?? reason[2]}` : first}. ${instead}`,
      { cause: error },
    );
  };

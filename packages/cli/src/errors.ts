const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "this is a folder",
  EACCES: "this may not be read",
};

/** What went wrong, with `file` where that is not said; in words where the system says it in letters. */
export function messageOf(error: unknown, file = "a file"): string {
  const { code = "", path, message = String(error) } = Object(error) as NodeJS.ErrnoException;
  const said = FILE_ERRORS[code];
  return said ? `${path ?? /'(.*)'/.exec(message)?.[1] ?? file}: ${said}.` : message;
}

/** Of what npm says when it cannot fetch, what matters; other errors as they are. */
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

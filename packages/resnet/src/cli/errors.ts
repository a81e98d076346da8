const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "this is a folder",
  EACCES: "this may not be read",
};

/** What went wrong; in words where the system says it in letters. */
export function messageOf(error: unknown): string {
  const { code = "", path, message = String(error) } = Object(error) as NodeJS.ErrnoException;
  const said = FILE_ERRORS[code];
  return said ? `${path ?? /'(.*)'/.exec(message)?.[1] ?? "a file"}: ${said}.` : message;
}

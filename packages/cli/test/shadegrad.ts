import { Command } from "commander";
import { COMMANDS, main } from "../src/main.ts";

export interface Said {
  status: number;
  out: string;
  err: string;
}

/** Run the program in this process, as in a terminal of 80 columns. */
export async function shadegrad(...args: readonly string[]): Promise<Said> {
  const said = { out: "", err: "" };
  const status = await main(args, {
    print: (text) => void (said.out += `${text}\n`),
    note: (text) => void (said.err += `${text}\n`),
    columns: 80,
    paint: (_, text) => text,
    watched: false,
    signal: new AbortController().signal,
  });
  return { status, ...said };
}

/** Names of the commands, in the order of the help. */
export const commandNames = (): string[] => {
  const program = new Command();
  for (const add of COMMANDS) add(program, () => async () => {});
  return program.commands.map((command) => command.name());
};

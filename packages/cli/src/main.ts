import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { addClassify } from "./classify.ts";
import type { Perform } from "./command.ts";
import { addConvert } from "./convert.ts";
import { messageOf } from "./errors.ts";
import { addEval } from "./eval.ts";
import { addExport } from "./export.ts";
import { addInfo } from "./info.ts";
import { suggestion } from "./suggestion.ts";
import { addSummary } from "./summary.ts";
import type { Terminal } from "./terminal.ts";
import { harmless } from "./text.ts";
import { addTrain } from "./train.ts";
import { addTune } from "./tune.ts";

/** The commands, in the order in which the help lists them. */
export const COMMANDS = [addInfo, addClassify, addEval, addTrain, addSummary, addConvert, addExport, addTune];

const USAGE = 2;
const HELP = ["commander.help", "commander.helpDisplayed", "commander.version"];

/**
 * Run the command that the arguments name.
 *
 * → the exit code: 0, 1 if it failed, 2 if the arguments make no sense, 130 after Ctrl-C
 */
export async function main(args: readonly string[], given: Terminal): Promise<number> {
  // Messages quote names out of files.
  const harmlessNote = (text: string) => given.note(text.split("\n").map(harmless).join("\n"));
  const terminal = { ...given, note: harmlessNote };
  let status = 0;
  const perform: Perform =
    (action) =>
    async (...args) => {
      status = (await action(terminal, ...args)) ?? 0;
    };

  const program = new Command("shadegrad")
    .description("ResNets on WebGPU: run, evaluate and train them.")
    .usage("COMMAND [options]")
    .helpCommand(false)
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.note(text.trimEnd()),
      outputError: () => {}, // usageError prints it
      getOutHelpWidth: () => terminal.columns,
      getErrHelpWidth: () => terminal.columns,
    })
    .showSuggestionAfterError(false)
    .version(version(), "-v, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .addHelpText("after", "\nshadegrad COMMAND --help describes a command.");
  for (const add of COMMANDS) add(program, perform);

  // An unset variable of the shell would count as an option that is not given, or as a file without a name.
  program.hook("preAction", (_, command) => {
    const empty = command.options.find((option) => command.getOptionValue(option.attributeName()) === "");
    if (empty) command.error(`error: option '${empty.flags}' is empty`);
    if (command.args.includes("")) command.error("error: an argument is empty");
  });

  let at = program;
  for (const command of [program, ...program.commands]) {
    command.exitOverride((error) => {
      at = command;
      throw error;
    });
    if (command !== program) command.option("--json", "print the result as JSON");
  }

  try {
    if (args.length === 0) program.help({ error: true });
    await program.parseAsync(args, { from: "user" });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (HELP.includes(error.code)) return args.length === 0 ? USAGE : 0;
      terminal.note(usageError(at, error));
      return USAGE;
    }
    terminal.note(failure(program.commands.find((command) => command.name() === args[0]) ?? program, error));
    return 1;
  }
}

/** The version of this package. */
function version(): string {
  const path = join(import.meta.dirname, "..", "package.json");
  return JSON.parse(readFileSync(path, "utf8")).version;
}

/** The error, and the names that exist. */
function usageError(command: Command, { code, message }: CommanderError): string {
  const what = `${fullName(command)}: ${message.replace(/^error: /, "").replace(/\.$/, "")}.`;
  const names =
    code === "commander.unknownCommand"
      ? command.commands.map((known) => known.name())
      : [...command.options.map(({ long }) => long!), "--help"];
  const kind = { "commander.unknownCommand": "Commands", "commander.unknownOption": "Options" }[code];
  if (kind) {
    const near = suggestion(/'(.*)'/.exec(message)?.[1] ?? "", names);
    return `${what}${near ? ` ${near}` : ""}\n${kind}: ${names.join(", ")}.`;
  }
  return `${what}\n${fullName(command)} --help says more.`;
}

const fullName = (command: Command): string =>
  command.parent ? `${command.parent.name()} ${command.name()}` : command.name();

function failure(command: Command, error: unknown): string {
  const stack = Number(process.env.DEBUG) >= 1 && error instanceof Error && error.stack;
  const message = messageOf(error);
  const own = `${command.name()}: `; // an op of that name has said so already
  return `${fullName(command)}: ${stack || (message.startsWith(own) ? message.slice(own.length) : message)}`;
}

import type { Argument, Command, Option } from "commander";

/** A command as completions see it. Read off the program itself, so that the two cannot differ. */
export interface Place {
  /** ` apps create`: a space before each word; empty for the program. */
  readonly path: string;
  readonly commands: readonly SubCommand[];
  readonly options: readonly CompletedOption[];
  /** What the next argument may be; files where that is one. */
  readonly words: readonly string[];
  readonly takesFiles: boolean;
}

export interface SubCommand {
  /** The name, then its aliases. */
  readonly names: readonly [string, ...string[]];
  readonly description: string;
}

export interface CompletedOption {
  /** `--output`, `-o`. */
  readonly names: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
  /** The values that it may have; empty: any. */
  readonly values: readonly string[];
}

/** Every command of a program, the program itself first. */
export function placesOf(program: Command): Place[] {
  const shared = visibleOptions(program).filter(({ names }) => !names.includes("--version"));
  return collect(program, "", shared);
}

function collect(command: Command, path: string, shared: readonly CompletedOption[]): Place[] {
  const own = visibleOptions(command);
  const known = new Set(own.flatMap(({ names }) => names));
  const children = command.createHelp().visibleCommands(command);
  const place: Place = {
    path,
    commands: children.map((child) => ({
      names: [child.name(), ...child.aliases()],
      description: child.summary() || child.description(),
    })),
    options: [...own, ...shared.filter(({ names }) => !names.some((name) => known.has(name)))],
    words: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
    takesFiles: command.registeredArguments.some(isFile),
  };
  return [
    place,
    ...children.flatMap((child) => below(collect(child, `${path} ${child.name()}`, shared), place)),
  ];
}

/** The argument of `help` is one of the commands beside it. */
const below = (places: readonly Place[], { path, commands }: Place): readonly Place[] =>
  places.map((place) =>
    place.path === `${path} help` ? { ...place, words: commands.flatMap(({ names }) => names) } : place,
  );

const visibleOptions = (command: Command): CompletedOption[] =>
  command.createHelp().visibleOptions(command).map(completed);

const completed = (option: Option): CompletedOption => ({
  names: [option.long, option.short].filter((name) => typeof name === "string"),
  description: option.description,
  takesValue: option.required || option.optional,
  values: option.argChoices ?? [],
});

const isFile = (argument: Argument): boolean => /^(file|folder)$/.test(argument.name());

/** The value of a flag that takes one, by its start (`--name=`); undefined when it is not among the flags of a command. */
export function flagValue(flags: ReadonlySet<string>, start: string): string | undefined {
  return [...flags].find((flag) => flag.startsWith(start))?.slice(start.length);
}

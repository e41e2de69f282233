/** The flags of a run. */
export const BENCH_FLAGS: readonly string[] = ["--only=", "--rounds=", "--seconds=", "--json=", "--compare=", "--flame="];

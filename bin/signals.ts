/** Aborts at the first SIGINT or SIGTERM. From this call on neither ends the process by itself, so a second one changes nothing. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => stop.abort());
  }
  return stop.signal;
}

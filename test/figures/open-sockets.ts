/** How many sockets a gateway has open, by its metrics. */
export async function openSocketsAt(adminUrl: string): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  return Number(/^sallyport_sockets(?:\{[^}]*\})? (\d+)/m.exec(text)?.[1]);
}

/** Shifts every byte by one amount, modulo 256. It keeps nobody out: it only keeps a body from being read by accident. */
export function shiftBytes(bytes: Uint8Array, shift: number): Buffer {
  const shifted = Buffer.allocUnsafe(bytes.length);
  for (let index = 0; index < bytes.length; index += 1) {
    shifted[index] = ((bytes[index] ?? 0) + shift) & 0xff;
  }
  return shifted;
}

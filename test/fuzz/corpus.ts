/** Frames that are worth mutating, in hexadecimal: each is a form of its own, or once found something. */
export const CORPUS: Readonly<Record<string, string>> = {
  nothing: "",
  "a zero byte": "00",
  "an empty call": "0a00",
  "a call": "0a1108071206 2f612e422f43 1a020a0b 20dc0b",
  "a call of a method that is there": "0a2e0801122a2f73616c6c79706f72742e636861742e76312e43686174536572766963652f4c69737450656e64696e67",
  "a call that is sent": "0a2f0801122b2f73616c6c79706f72742e636861742e76312e43686174536572766963652f53656e644d657373616765",
  "a call in two parts": "0a020801 0a021203",
  "an acknowledgement": "1208 0a026d31 0a026d32",
  "an acknowledgement of a UUID": "1226 0a24 35613131613064652d303030302d343030302d383030302d303030303030303030303031",
  "a cancel": "1a0608ffffffff0f",
  "a keep-alive": "2200",
  "a kind that is not known": "2a00",
  "several kinds": "2200 1a020801 0a00",
  "an unknown varint": "f8ff01 ffffffffffffffffff01",
  "a varint of eleven bytes": "08ffffffffffffffffffff01",
  "field number 0": "0200",
  "a length beyond the end": "0affffffff0f",
  "a negative length": "0affffffffffffffffff01",
  "a group": "2b 0801 2c",
  "a group that ends as another": "2b 0801 34",
  "an end of no group": "2c",
  "groups in groups": "2b2b2b2b2b2b2b2b 2c2c2c2c2c2c2c2c",
  "a string that is no UTF-8": "0a041202c328",
  "wire type 6": "0e",
  "wire type 7": "0f",
  "a fixed64": "29 0102030405060708",
  "half a fixed64": "29 01020304",
  "a JSON text": "7b22616363657373546f6b656e223a6e756c6c7d",
  null: "6e756c6c",
};

/** The corpus as bytes. */
export function readCorpus(): readonly Buffer[] {
  return Object.values(CORPUS).map((hex) => Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

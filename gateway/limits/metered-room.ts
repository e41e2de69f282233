import type { Room } from "../body-room.ts";
import type { Limits } from "./limits.ts";

/** A room for the bodies of clients that have not shown who they are: what one of them sends over time has a limit too. */
export function meteredRoom(room: Room, limits: Limits): Room {
  return {
    take: (address, bytes) => limits.takeBytes(address, bytes) ?? room.take(address, bytes),
    give: (address, bytes) => room.give(address, bytes),
  };
}

import type { SallyportError } from "../../platform/errors.ts";
import type { Room } from "../body-room.ts";

/** A room where what comes from one client over time has a limit too. `meter` takes bytes of an address, or answers why not. */
export function meteredRoom(room: Room, meter: (address: string, bytes: number) => SallyportError | undefined): Room {
  return {
    take: (address, bytes) => {
      const refused = room.take(address, bytes);
      if (refused !== undefined) {
        return refused;
      }
      const limited = meter(address, bytes);
      if (limited !== undefined) {
        room.give(address, bytes);
      }
      return limited;
    },
    give: (address, bytes) => room.give(address, bytes),
  };
}

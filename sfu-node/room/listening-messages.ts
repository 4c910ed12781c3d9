/** What rooms and the thread that listens for them say to each other. `room`: a number of the process's own. */

/** Whose packets an SSRC's are, and the id of the header extension with their levels. */
export interface Voice {
  readonly participantId: string;
  readonly id: number;
}

export type Order =
  | { readonly type: "open"; readonly room: number }
  | { readonly type: "follow"; readonly room: number; readonly ssrc: number; readonly voice: Voice }
  | { readonly type: "forget"; readonly room: number; readonly ssrc: number }
  | { readonly type: "gone"; readonly room: number; readonly participantId: string }
  | { readonly type: "close"; readonly room: number };

export type Report =
  | { readonly type: "opened"; readonly room: number; readonly port: number }
  | { readonly type: "failed"; readonly room: number; readonly reason: string }
  | { readonly type: "speaker"; readonly room: number; readonly participantId: string };

/** The part of the library's interface that is used here; the package brings no types. */
declare module '@cornerstonejs/codec-openjpeg/decodewasmjs' {
  export interface J2KDecoder {
    getEncodedBuffer(bytes: number): Uint8Array;
    getDecodedBuffer(): Uint8ClampedArray<ArrayBuffer>;
    decodeSubResolution(level: number, layer: number): void;
    getFrameInfo(): { bitsPerSample: number; componentCount: number; isSigned: boolean };
    getNumDecompositions(): number;
    delete(): void;
  }

  export interface OpenjpegModule {
    J2KDecoder: new () => J2KDecoder;
    HEAPU8: Uint8Array;
  }

  export default function factory(options: {
    locateFile?: (name: string) => string;
    print: (text: string) => void;
    printErr: (text: string) => void;
  }): Promise<OpenjpegModule>;
}

declare module '@cornerstonejs/codec-openjpeg/decodewasm?url' {
  const url: string;
  export default url;
}

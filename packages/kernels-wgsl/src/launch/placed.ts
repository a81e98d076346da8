/** A buffer, or `size` bytes of one from `offset` on. */
export interface Placed {
  readonly buffer: GPUBuffer;
  readonly offset?: number | undefined;
  readonly size?: number | undefined;
}

/** The same as WebGPU has it, without what else the object has. */
export const bindingOf = ({ buffer, offset, size }: Placed): GPUBufferBinding => ({
  buffer,
  ...(offset !== undefined && { offset }),
  ...(size !== undefined && { size }),
});

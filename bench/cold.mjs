/**
 * The environment of a process whose first call compiles what it needs: Mesa's and NVIDIA's drivers keep no shader from one
 * process to the next. Dawn in Node never does.
 */
export const NO_DRIVER_CACHE = {
  MESA_SHADER_CACHE_DISABLE: "true",
  MESA_GLSL_CACHE_DISABLE: "true",
  __GL_SHADER_DISK_CACHE: "0",
};

/* Included by kernels for the Arm DSP extension: a Cortex-M build whose flags lack the extension
 * stops here, instead of running its instructions in plain C. Other machines may: tests do. */
#ifndef TG_REQUIRE_DSP_H
#define TG_REQUIRE_DSP_H

#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M' && !defined(__ARM_FEATURE_DSP)
#error "This model was generated for a core with the DSP extension; the compiler's flags lack it."
#endif

#endif

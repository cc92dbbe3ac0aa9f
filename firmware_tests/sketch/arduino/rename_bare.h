/* Force-included where tinygen's own start-up code and drivers are compiled to lie under the
 * Arduino API of arduino_bare.cpp: the sketch's port has functions of the same names. */
#define wire_init bare_wire_init
#define wire_read bare_wire_read
#define wire_write bare_wire_write
#define wire_flush bare_wire_flush
#define platform_ticks bare_platform_ticks
#define platform_timer_hz bare_platform_timer_hz
#define platform_stack_bytes bare_platform_stack_bytes
#define platform_stack_used bare_platform_stack_used
#define platform_check_stack bare_platform_check_stack
#define platform_read_file bare_platform_read_file
#define platform_reset bare_platform_reset
#define platform_exit bare_platform_exit

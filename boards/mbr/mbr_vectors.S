/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vector table of the MBR and the two paths that cannot be C: handing an exception on to the firmware,
 * and calling the SoftDevice.
 *
 * Sources: ARMv7-M Architecture Reference Manual, B1.5 (exception model); SoftDevice Specification,
 * "Exception model"; the SoftDevice's side was watched from outside (what it reads and where it returns).
 */
    .syntax unified
    .cpu cortex-m4
    .thumb

    .equ FORWARD_ADDRESS, 0x20000000
    .equ SD_BASE,         0x1000
    .equ SVC_MBR,         0x18

    .section .vectors, "a"
    .global mbr_vectors
mbr_vectors:
    .word   __stack_top
    .word   mbr_reset
    .rept   9               /* NMI to the reserved vector 10 */
    .word   mbr_forward
    .endr
    .word   mbr_svc         /* 11, SVCall */
    .rept   4 + 48          /* DebugMonitor to SysTick, then the 48 interrupts of the nRF52840 */
    .word   mbr_forward
    .endr

    .text

/*
 * Enters the firmware's handler as if its table were the vector table. The SoftDevice wants r0 = 4 * exception
 * number. r12 is free for the address: the architecture leaves r0-r3 and r12 UNKNOWN on exception entry.
 */
    .global mbr_forward
    .thumb_func
    .type   mbr_forward, %function
mbr_forward:
    mrs     r0, ipsr
    mov     r12, #FORWARD_ADDRESS
    ldr     r12, [r12]
    lsls    r0, r0, #2
    ldr     pc, [r12, r0]

/* SVC numbers other than the MBR's belong to whoever owns the forward address. */
    .thumb_func
    .type   mbr_svc, %function
mbr_svc:
    tst     lr, #4          /* EXC_RETURN: which stack holds the frame? An FP frame has the same first words. */
    ite     eq
    mrseq   r0, msp
    mrsne   r0, psp
    ldr     r12, [r0, #24]  /* stacked return address; the SVC number is the byte 2 before it */
    ldrb    r12, [r12, #-2]
    cmp     r12, #SVC_MBR
    bne     mbr_forward
    b       mbr_command     /* void mbr_command(uint32_t *frame): its return is the exception return */

/*
 * void mbr_call_softdevice(void)
 * Runs the SoftDevice's reset function and comes back. With the forward address not (yet) its own, the
 * SoftDevice takes its return address from the top of the stack.
 */
    .global mbr_call_softdevice
    .thumb_func
    .type   mbr_call_softdevice, %function
mbr_call_softdevice:
    push    {r4-r11, lr}
    mov     r4, sp
    ldr     r1, =SD_BASE + 4
    ldr     r1, [r1]
    adr     r0, 1f
    orr     lr, r0, #1
    push    {lr}
    bx      r1
    .align  2
1:  mov     sp, r4
    pop     {r4-r11, pc}

/* _Noreturn void mbr_jump(uint32_t stack, uint32_t entry): starts firmware as the hardware would after reset. */
    .global mbr_jump
    .thumb_func
    .type   mbr_jump, %function
mbr_jump:
    msr     msp, r0
    mov     lr, #0xFFFFFFFF
    bx      r1
    .ltorg

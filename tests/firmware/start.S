/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vector table and start of the test programs. Every exception goes through the table `handlers` in RAM. */
    .syntax unified
    .cpu cortex-m4
    .thumb

    .section .vectors, "a"
    .word stack_top
    .word reset + 1
    .rept 62
    .word dispatch + 1
    .endr

    .section .text
    .global reset
    .type reset, %function
reset:
    ldr r0, =data_start
    ldr r1, =data_end
    ldr r2, =data_load
1:  cmp r0, r1
    bhs 2f
    ldr r3, [r2], #4
    str r3, [r0], #4
    b 1b
2:  ldr r0, =bss_start
    ldr r1, =bss_end
    movs r2, #0
3:  cmp r0, r1
    bhs 4f
    str r2, [r0], #4
    b 3b
4:  bl main
    b .

/* handler(stack frame, EXC_RETURN) of the active exception. */
    .global dispatch
    .type dispatch, %function
dispatch:
    mrs r2, ipsr
    ldr r3, =handlers
    ldr r3, [r3, r2, lsl #2]
    tst lr, #4
    ite eq
    mrseq r0, msp
    mrsne r0, psp
    mov r1, lr
    push {r4, lr}
    cbz r3, 5f
    blx r3
5:  ldr r1, =next_return
    ldr r0, [r1]
    cbnz r0, 6f
    pop {r4, pc}
6:  movs r2, #0
    str r2, [r1]
    pop {r4, lr}
    bx r0
